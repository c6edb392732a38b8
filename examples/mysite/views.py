# mypy: disable-error-code="import-untyped, untyped-decorator"
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""The site's pages."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .jobs import send_receipt
from .models import Order


@csrf_exempt
def buy(_request: HttpRequest, product: str) -> Any:
    with transaction.atomic():
        order = Order.objects.create(product=product)
        # not before the commit: the job would look for an order that is not there yet, or never will be
        transaction.on_commit(lambda: send_receipt.enqueue(order.pk))
    return JsonResponse({"order": order.pk}, status=202)


def receipt(_request: HttpRequest, order: int) -> Any:
    return JsonResponse({"receipt": Order.objects.get(pk=order).receipt})
