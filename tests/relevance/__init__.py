"""How good the order of what is found is, on known items."""
