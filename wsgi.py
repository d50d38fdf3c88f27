"""The application for any WSGI server: `waitress-serve wsgi:app`."""

from docctl import create_app

app = create_app()
