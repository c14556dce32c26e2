"""Ways for two endpoints to meet: in memory, and over TCP. An endpoint knows none of them."""
