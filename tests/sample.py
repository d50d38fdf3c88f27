"""The loaded sample organisation as fixtures: import both into a conftest; it is loaded once in a run of pytest."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from docctl import clock, decisions, demo
from docctl.config import Settings, load
from docctl.demo import Loaded
from docctl.site import Site, open_site

SAMPLE_PASSWORD = "mật khẩu của cơ quan mẫu"
CPU_SECONDS: dict[tuple[str, str], float] = {}  # By decision and act: what each took while the sample was loaded.
_loaded: list[tuple[Path, Loaded]] = []  # Several conftests may import the fixtures; the loading is shared.


def sample_settings(storage: Path) -> Settings:
    """Return the settings of a storage folder with the sample organisation."""
    return load(
        {
            "DOCCTL_STORAGE": str(storage),
            "DOCCTL_SECRET_KEY": "a key of the tests",
            "DOCCTL_DEMO_PASSWORD": SAMPLE_PASSWORD,
        }
    )


@contextmanager
def timed(act: str) -> Iterator[None]:
    """Note the processor time of every act on a decision; the act itself is the real one."""
    real: Callable[..., Any] = getattr(decisions, act)

    def measured(session: Any, decision: Any, **given: Any) -> Any:
        began = time.process_time()
        try:
            return real(session, decision, **given)
        finally:
            CPU_SECONDS[decision.number, act] = time.process_time() - began

    setattr(decisions, act, measured)
    try:
        yield
    finally:
        setattr(decisions, act, real)


@pytest.fixture(scope="session")
def sample_office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Loaded]:
    """The storage folder of the sample organisation, to be copied and not changed, and what its loading said."""
    if not _loaded:
        storage = tmp_path_factory.mktemp("sample")
        with clock.at(demo.BEGAN):
            site = open_site(sample_settings(storage), migrate=True)
        with timed("check"), timed("execute"):
            _loaded.append((storage, demo.load(site)))
        site.close()
    return _loaded[0]


@pytest.fixture
def sample_site(sample_office: tuple[Path, Loaded], tmp_path: Path) -> Iterator[Site]:
    """A real site over a copy of the sample organisation."""
    storage = tmp_path / "sample"
    shutil.copytree(sample_office[0], storage)
    site = open_site(sample_settings(storage))
    yield site
    site.close()
