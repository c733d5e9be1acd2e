"""Sessions in PostgreSQL, as Django keeps them; looking one up is a compiled read, since every page begins with it."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from core import clock
from core.compiled import Given, compiled


@compiled
def _running(*, key: Given, at: Given) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=at)


class SessionStore(db.SessionStore):
    """Same table, same contents, same keys."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        session = _running.first(key=self.session_key, at=clock.now())
        if session is None:
            self._session_key = None
        return session
