"""The settings: environment first, then `docctl.toml` in the storage folder, then the defaults."""

import difflib
import importlib.util
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
PACKAGED = PACKAGE / "_site"
ENGINES = ("whoosh", "tantivy")
MOST_PROXIES = 9


# What each setting means, and its default: the README's table is made from this.
MEANINGS = {
    "storage": ("`./storage`", "The folder of the database, the files, the index and the secret key."),
    "database_url": ("SQLite in the storage folder", "Where the records are."),
    "files_url": ("the storage folder", "Where the files are; elsewhere is not supported yet and refused."),
    "s3_endpoint": ("", "For files elsewhere; not supported yet and refused."),
    "search": (
        "`whoosh`",
        "The search engine: `whoosh`, or `tantivy` for large sites, installed by the extra of that name. After a change the index is built anew by itself.",
    ),
    "secret_key": ("made and kept in the storage folder", "Signs the cookies."),
    "timezone": ("`Asia/Ho_Chi_Minh`", "The office's time zone: days begin at 00:00 there."),
    "locale": (
        "`vi`",
        "The language for a visitor whose browser asks for neither, and of the command line: `vi` or `en`.",
    ),
    "workflows": ("", "A folder of the site's own workflow files, looked up first."),
    "templates": ("", "A folder of the site's own templates, looked up first."),
    "checkpoints": (
        "`checkpoints` in the storage folder",
        "The append-only folder of the signed checkpoints; set to one that the database's writer need not reach, "
        "it is also the anchor that `docctl verify` compares with.",
    ),
    "max_upload_mb": ("100", "The largest file that may be uploaded, in MB."),
    "base_url": (
        "",
        "The address people use; over https the cookies are Secure always, and other host names are refused.",
    ),
    "proxies": (
        "0",
        "How many reverse proxies of the office stand before docctl, each of which adds to `X-Forwarded-For`, `X-Forwarded-Proto` and "
        "`X-Forwarded-Host`: client address, scheme and host are read from there. With 0 these headers, which anybody can send, count for nothing.",
    ),
    "smtp_url": (
        "",
        "The mail server: `smtp://`, `smtps://` or `smtp+starttls://`, then `user:password@host:port`; `?from=` names the sender. Without it no mail is sent.",
    ),
    "seal_file": (
        "",
        "The office's own certificate with its key (PKCS#12): it signs the PDF of what was issued, last.",
    ),
    "seal_password": ("", "The password of that file."),
    "timestamp_url": ("", "A timestamp authority (RFC 3161): with it the signature is PAdES B-T, without it B-B."),
    "demo_password": ("random, printed once", "The password of the sample accounts."),
    "now": ("", "An ISO instant: a stopped clock; refused unless `DOCCTL_TESTING=1`."),
    "testing": ("", "`1` allows `DOCCTL_NOW`."),
}


class ConfigError(Exception):
    """A setting that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """Every setting of the process; the names with `DOCCTL_` before them are those of the environment."""

    storage: Path
    database_url: str
    files_url: str = ""
    s3_endpoint: str = ""
    search: str = "whoosh"
    secret_key: str = ""
    timezone: str = "Asia/Ho_Chi_Minh"
    locale: str = "vi"
    workflows: Path | None = None
    templates: Path | None = None
    checkpoints: Path | None = None
    max_upload_mb: int = 100
    base_url: str = ""
    proxies: int = 0
    smtp_url: str = ""
    seal_file: Path | None = None
    seal_password: str = field(default="", repr=False)
    timestamp_url: str = ""
    demo_password: str = ""
    now: datetime | None = None
    testing: bool = False

    @property
    def files(self) -> Path:
        """The folder of stored files."""
        return self.storage

    @property
    def index(self) -> Path:
        """The folder of the search index, which can be deleted at any time."""
        return self.storage / "index"

    @property
    def pages(self) -> Path:
        """The folder of the pictures of pages, which can be deleted at any time."""
        return self.storage / "pages"

    @property
    def trust(self) -> Path:
        """The folder of the certificates whose signatures are trusted."""
        return self.storage / "trust"

    @property
    def synonyms(self) -> Path:
        """The site's own file of words that mean the same, which need not exist."""
        return self.storage / "synonyms.toml"

    def workflow_folders(self) -> list[Path]:
        """Return the folders of workflow files, the site's own first."""
        return [folder for folder in (self.workflows, _shipped("workflows")) if folder]

    def template_folders(self) -> list[Path]:
        """Return the folders of templates, the site's own first."""
        return [folder for folder in (self.templates, _shipped("templates")) if folder]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises ConfigError with a sentence for an unknown name or an unusable value."""
    environ = os.environ if environ is None else environ
    known = {each.name for each in fields(Settings)}
    given = {_known(name, known): value for name, value in environ.items() if name.startswith("DOCCTL_") and value}
    storage = Path(given.get("storage", "storage")).absolute()
    values = {**_file(storage / "docctl.toml", known), **given}
    try:
        return _settings(storage, values)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigError(f"A DOCCTL_ setting cannot be used: {error}") from error


def _settings(storage: Path, values: dict[str, str]) -> Settings:
    testing = values.get("testing", "").lower() in ("1", "true", "yes")
    stopped = values.get("now", "")
    if stopped and not testing:
        raise ConfigError("DOCCTL_NOW stops the clock and is refused unless DOCCTL_TESTING=1. Unset it.")
    unready = [name for name in ("files_url", "s3_endpoint") if values.get(name)]
    if unready:
        raise ConfigError(
            f"DOCCTL_{unready[0].upper()}: files outside the storage folder are not supported yet. Unset it."
        )
    search = values.get("search", "whoosh")
    if search not in ENGINES:
        raise ConfigError(f"DOCCTL_SEARCH={search}: the engines are {' and '.join(ENGINES)}.")
    if search == "tantivy" and importlib.util.find_spec("tantivy") is None:
        raise ConfigError("DOCCTL_SEARCH=tantivy needs its library: pip install 'docctl[tantivy]'. Or unset it.")
    zone = values.get("timezone", "Asia/Ho_Chi_Minh")
    ZoneInfo(zone)
    locale = values.get("locale", "vi")
    if locale not in ("vi", "en"):
        raise ConfigError(f"DOCCTL_LOCALE={locale}: choose vi or en.")
    return Settings(
        storage=storage,
        database_url=values.get("database_url", f"sqlite:///{storage / 'docctl.db'}"),
        search=search,
        secret_key=values.get("secret_key", ""),
        timezone=zone,
        locale=locale,
        workflows=_folder(values.get("workflows")),
        templates=_folder(values.get("templates")),
        checkpoints=Path(values["checkpoints"]).absolute() if values.get("checkpoints") else None,
        max_upload_mb=int(values.get("max_upload_mb", "100")),
        base_url=values.get("base_url", "").rstrip("/"),
        proxies=_proxies(values.get("proxies", "0")),
        smtp_url=_mail_server(values.get("smtp_url", "")),
        seal_file=_existing(values.get("seal_file")),
        seal_password=values.get("seal_password", ""),
        timestamp_url=_address(values.get("timestamp_url", "")),
        demo_password=values.get("demo_password", ""),
        now=datetime.fromisoformat(stopped) if stopped else None,
        testing=testing,
    )


def _proxies(value: str) -> int:
    if not value.isdecimal() or int(value) > MOST_PROXIES:
        raise ConfigError(
            f"DOCCTL_PROXIES={value}: write how many reverse proxies stand before docctl, 0 to {MOST_PROXIES}."
        )
    return int(value)


def _mail_server(value: str) -> str:
    if not value:
        return ""
    url = urlsplit(value)
    if url.scheme not in ("smtp", "smtps", "smtp+starttls", "starttls") or not url.hostname or url.port == 0:
        raise ConfigError(
            "DOCCTL_SMTP_URL cannot be used: write smtp://host:25, smtps://user:password@host or smtp+starttls://user:password@host."
        )
    return value


def secret_key(settings: Settings) -> str:
    """Return the key that signs cookies; it is made once and kept in the storage folder when none is set."""
    if settings.secret_key:
        return settings.secret_key
    kept = settings.storage / "secret_key"
    settings.storage.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass  # Made earlier, or by another process this moment: everybody uses what is there.
    return kept.read_text().strip()


def _known(name: str, known: set[str]) -> str:
    bare = name.removeprefix("DOCCTL_").lower()
    if bare in known:
        return bare
    near = difflib.get_close_matches(bare, known, n=1, cutoff=0)
    raise ConfigError(f"{name} is not a setting of docctl. Did you mean DOCCTL_{near[0].upper()}?")


def _file(path: Path, known: set[str]) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    return {
        _known(f"DOCCTL_{name.removeprefix('DOCCTL_').upper()}", known): str(value) for name, value in table.items()
    }


def _folder(value: str | None) -> Path | None:
    if not value:
        return None
    if not Path(value).is_dir():
        raise ConfigError(f"The folder {value} does not exist. Make it, or unset the setting that names it.")
    return Path(value).absolute()


def _existing(value: str | None) -> Path | None:
    if not value:
        return None
    if not Path(value).is_file():
        raise ConfigError(f"The file {value} does not exist. Put it there, or unset the setting that names it.")
    return Path(value).absolute()


def _address(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ConfigError(f"{value} is not the address of a server: write http:// or https:// before it.")
    return value


def _shipped(name: str) -> Path:
    # A checkout is looked in first: an editable install can leave a stale packaged copy behind.
    return CHECKOUT / name if (CHECKOUT / "wsgi.py").exists() else PACKAGED / name
