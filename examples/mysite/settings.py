"""Django's settings; Ferryman's are a part of them."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent

SECRET_KEY = "only for the example"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["mysite"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

FERRYMAN = {"database_url": f"sqlite:///{FOLDER}/ferryman.db", "worker_count": 4}
