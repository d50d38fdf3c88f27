"""Real servers over a test's own storage, and many people signed in to them."""

from collections.abc import Callable, Iterator

import pytest

from docctl import people, units
from docctl.site import Site
from tests.conftest import CHEAP, PASSWORD
from tests.reliability.serving import Client, Server


@pytest.fixture
def serve(site: Site) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server over the test's storage; all are stopped at the end."""
    started: list[Server] = []

    def start(**given: int) -> Server:
        started.append(Server(site.settings.storage, **given))  # type: ignore[arg-type]
        return started[-1].start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def many(site: Site) -> Callable[[str, int], list[str]]:
    """Return a function that adds many accounts of one role and returns their names."""

    def add(role: str, count: int) -> list[str]:
        names = [f"{role.replace('_', '-')}-{number}" for number in range(1, count + 1)]
        with site.database.writing() as session:
            office = units.office(session)
            for name in names:
                account = people.add(
                    session, name=name, password=PASSWORD, roles=[role], unit=office, title_vi=f"Chức danh {name}"
                )
                account.password_hash = CHEAP.hash(PASSWORD)
        return names

    return add


@pytest.fixture
def sign_in() -> Iterator[Callable[[Server, str], Client]]:
    """Return a function that gives somebody a connection of his own to a server; all hang up at the end."""
    clients: list[Client] = []

    def enter(server: Server, name: str) -> Client:
        clients.append(Client(server.port))
        return clients[-1].sign_in(name)

    yield enter
    for client in clients:
        client.close()
