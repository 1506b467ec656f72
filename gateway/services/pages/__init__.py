"""The operator's pages: server-rendered, live, one origin, nothing from elsewhere."""

from gateway.services.pages.books import Books
from gateway.services.pages.gauges import Gauges
from gateway.services.pages.pages import Around, Pages, PagesSettings
from gateway.services.pages.phone import PhoneSettings

__all__ = ["Around", "Books", "Gauges", "Pages", "PagesSettings", "PhoneSettings"]
