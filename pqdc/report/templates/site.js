// Tables that sort and filter, the switch of themes, and the charts where there are any. No request is ever made.
"use strict";

const THEMES = ["system", "light", "dark"];

function remembered() {
  try { return localStorage.getItem("pqdc-theme") || "system"; } catch { return "system"; }
}

function showTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.textContent = `Theme: ${theme}`;
  }
}

function switchTheme() {
  const next = THEMES[(THEMES.indexOf(remembered()) + 1) % THEMES.length];
  try { localStorage.setItem("pqdc-theme", next); } catch { /* it lasts as long as the page then */ }
  showTheme(next);
  drawCharts();
}

// A cell's value: a number where the column has numbers, else its text in lower case; null sorts last.
function valueOf(row, column, numeric) {
  const value = row.cells[column].dataset.value;
  if (value === undefined || value === "") return null;
  return numeric ? Number(value) : value.toLowerCase();
}

function sortBy(table, column) {
  const heads = table.tHead.rows[0].cells;
  const head = heads[column];
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const numeric = head.classList.contains("number");
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [valueOf(row, column, numeric), row]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
    return ascending ? order : -order;
  });
  body.append(...keyed.map(([, row]) => row));
}

function makeSortable(table) {
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent.trim();
    button.addEventListener("click", () => sortBy(table, column));
    head.replaceChildren(button);
  });
}

function makeFilter(form, table) {
  const apply = () => {
    const wanted = new FormData(form);
    const words = String(wanted.get("text") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Array.from(wanted).filter(([key, value]) => key !== "text" && value !== "");
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = `${row.cells[0].textContent} ${row.dataset.family} ${row.dataset.backend}`.toLowerCase();
      const fits = words.every((word) => text.includes(word)) && chosen.every(([key, value]) => row.dataset[key] === value);
      row.hidden = !fits;
      shown += fits;
    }
    form.querySelector("output").textContent = `${shown} of ${table.tBodies[0].rows.length} rows`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

// Charts take their colours from the page, so that they follow the theme.
function chartConfig() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { labelColor: colour("--text"), titleColor: colour("--text"), gridColor: colour("--line"), domainColor: colour("--muted"), tickColor: colour("--muted"), labelLimit: 240 };
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: colour("--line") },
    axis,
    legend: { labelColor: colour("--text"), titleColor: colour("--text"), labelLimit: 240 },
    header: { labelColor: colour("--text"), titleColor: colour("--text") },
    title: { color: colour("--text"), subtitleColor: colour("--muted") },
    text: { color: colour("--text") },
    rule: { color: colour("--text") },
  };
}

async function drawCharts() {
  if (typeof vegaEmbed === "undefined") return;
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    spec.config = { ...chartConfig(), ...spec.config };
    await vegaEmbed(figure.querySelector("div"), spec, {
      renderer: "svg",
      actions: { export: true, source: false, compiled: false, editor: false },
      tooltip: { theme: "custom" },
    });
  }
  document.documentElement.dataset.charts = "drawn";
}

showTheme(remembered());
for (const button of document.querySelectorAll("[data-theme-switch]")) button.addEventListener("click", switchTheme);
for (const table of document.querySelectorAll("table[data-sortable]")) makeSortable(table);
for (const form of document.querySelectorAll("form[data-filters]")) {
  makeFilter(form, document.querySelector("table[data-sortable]"));
}
drawCharts();
