"""The tests of docctl: one sentence of the business each."""
