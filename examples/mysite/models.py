# mypy: disable-error-code="import-untyped, misc"
"""What the site stores."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    product = models.CharField(max_length=100)
    receipt = models.CharField(max_length=200, default="")
