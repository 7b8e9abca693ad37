"""Prefect's pages as our server answers them: nothing is loaded from elsewhere, none is empty."""

import httpx


def test_a_line_leads_to_what_a_viewer_from_elsewhere_would_show(server: str) -> None:
    """Without its scripts such a page would be empty; the policy stays that of all pages."""
    root = httpx.URL(server).join("/")
    with httpx.Client(base_url=root, timeout=60) as client:  # it may be busy
        for page in ("/docs", "/redoc", "/api/docs", "/api/redoc"):
            answer = client.get(page)
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "//" not in answer.text, "it names another server"
            assert '<a href="openapi.json">' in answer.text, page
        assert client.get("/openapi.json").json()["openapi"]
