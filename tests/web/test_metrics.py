"""What a monitor reads at /metrics: only this machine and programs with a token may ask."""

from docctl import people, tokens


def test_this_machine_reads_the_figures(make_revision, stranger):
    make_revision("in_force")
    make_revision("draft")
    told = stranger.get("/metrics").text
    assert "docctl_revisions_in_force 1.0" in told
    assert "docctl_revisions_open 1.0" in told
    assert "docctl_trail_entries" in told


def test_answers_are_timed_by_view_and_never_by_what_was_looked_for(sign_in, stranger):
    sign_in("staff").get("/search?q=bí mật")
    told = stranger.get("/metrics").text
    assert 'docctl_request_seconds_count{method="GET",status="200",view="search.show"} 1.0' in told
    assert "bí mật" not in told


def test_from_elsewhere_it_takes_a_token(site, stranger):
    far = {"REMOTE_ADDR": "192.0.2.7"}
    assert stranger.get("/metrics", environ_overrides=far).status_code == 403
    assert stranger.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    with site.database.writing() as session:
        account = people.find(session, "admin")
        token = tokens.create(session, account, "monitor", read_only=True, by=account)
    held = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/metrics", environ_overrides=far, headers=held).status_code == 200
