"""The Vietnamese of the pages, in the catalogue that translators know; English is what the code itself says."""
