# mypy: disable-error-code="import-untyped"
"""The site for a WSGI server: `gunicorn --workers 4 --preload mysite.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
