"""The sample organisation, loaded."""

from tests.sample import sample_office, sample_site

__all__ = ["sample_office", "sample_site"]
