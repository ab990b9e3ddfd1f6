"""Health and metrics: without a key, for load balancers and operators."""

import httpx

from tests.system.stack import Stack


def test_health_says_what_was_checked(stack: Stack) -> None:
    response = stack.http.get("/health")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"broker": "ok", "storage": "ok", "workers": "ok"}}


def test_metrics_are_in_the_text_format_of_prometheus(stack: Stack) -> None:
    response: httpx.Response = stack.http.get("/metrics")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE ledger_commands_answered_total counter" in response.text
