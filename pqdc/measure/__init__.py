"""What to run, how to sample, what is written down. Knows nothing of how figures are reported.

`plan` is what to run, `run` runs it in fresh processes of `bench/`, `workbench` is what those measure with, `outcome`
is what is written. The format of the file is told in docs/results.md; `pqdc.report` reads it.
"""
