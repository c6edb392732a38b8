# mypy: disable-error-code="import-untyped"
"""Which page is where."""

from __future__ import annotations

from django.urls import path

from .views import buy, receipt

urlpatterns = [path("buy/<str:product>", buy), path("receipts/<int:order>", receipt)]
