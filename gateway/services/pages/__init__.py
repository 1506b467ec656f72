"""The operator's pages: server-rendered, live, one origin, nothing from elsewhere."""

from gateway.services.pages.books import Books
from gateway.services.pages.pages import Pages, PagesSettings

__all__ = ["Books", "Pages", "PagesSettings"]
