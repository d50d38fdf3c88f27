"""The application for any WSGI server: `waitress-serve wsgi:app`."""

from docctl import create_app
from docctl.site import settle

app = create_app()
settle()
