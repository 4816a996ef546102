"""Runs the client library of a session store:

    python store.py STORE URL make            creates sessions; prints {"live": [keys], "expired": [keys]}
    python store.py STORE URL find KEY …      prints the keys that the client finds
"""

import datetime
import json
import os
import sys
import urllib.parse
import uuid

# Expiry times of the sessions, in seconds from now.
ENDS = [600, 1800, 3 * 3600, 14 * 3600, 7 * 86400]


class Django:
    APPS = []

    def __init__(self, place):
        import django
        from django.conf import settings

        settings.configure(
            INSTALLED_APPS=["django.contrib.sessions", *self.APPS],
            SESSION_ENGINE="django.contrib.sessions.backends.db",
            SECRET_KEY="only for this test",
            TIME_ZONE=os.environ["TZ"],
            USE_TZ=os.environ["TZ"] != "Asia/Tokyo",
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.postgresql",
                    "NAME": place["database"],
                    "HOST": place["host"],
                    "PORT": place["port"],
                    "USER": place["user"],
                }
            },
        )
        django.setup()
        from django.db.backends.postgresql.base import DatabaseWrapper

        # Allow servers that Django no longer supports: its sessions work the same there.
        DatabaseWrapper.check_database_version_supported = lambda self: None
        from django.contrib.sessions.backends.db import SessionStore
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.store = SessionStore

    def make(self, end):
        session = self.store()
        session["user"] = 1
        session.set_expiry(end)
        session.save()
        return session.session_key

    def find(self, key):
        return self.store().exists(key)


class DjangoOauthToolkit(Django):
    APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]

    def make(self, end):
        from django.contrib.auth.models import User
        from django.utils import timezone
        from oauth2_provider.models import AccessToken

        user, _ = User.objects.get_or_create(username="a")
        token = str(uuid.uuid4())
        AccessToken.objects.create(
            user=user, token=token, scope="read", expires=timezone.now() + datetime.timedelta(seconds=end)
        )
        return token

    def find(self, key):
        from oauth2_provider.models import AccessToken

        return AccessToken.objects.filter(token=key).exists()


class FlaskSession:
    def __init__(self, place):
        import flask
        import flask_session
        import flask_sqlalchemy

        url = "postgresql+psycopg://{user}@/{database}?host={host}&port={port}".format(**place)
        self.app = flask.Flask("store")
        self.app.config.update(
            SQLALCHEMY_DATABASE_URI=url,
            SQLALCHEMY_ENGINE_OPTIONS={"connect_args": {"options": f"-c TimeZone={os.environ['TZ']}"}},
            SESSION_TYPE="sqlalchemy",
        )
        database = flask_sqlalchemy.SQLAlchemy(self.app)
        self.app.config["SESSION_SQLALCHEMY"] = database
        with self.app.app_context():
            flask_session.Session(self.app)
            database.create_all()
        self.store = self.app.session_interface

    def make(self, end):
        key = str(uuid.uuid4())
        with self.app.app_context():
            self.store._upsert_session(datetime.timedelta(seconds=end), {"user": 1}, key)
        return key

    def find(self, key):
        # Query the model: the client's lookup would delete expired sessions.
        with self.app.app_context():
            return self.store.sql_session_model.query.filter_by(session_id=key).first() is not None


def main():
    store, url, command, *keys = sys.argv[1:]
    parts = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qs(parts.query)
    place = {name: query[name][0] for name in ("host", "port", "user")}
    place["database"] = parts.path.lstrip("/")
    client = {"django": Django, "django-oauth-toolkit": DjangoOauthToolkit, "flask-session": FlaskSession}[store](place)
    if command == "make":
        made = {"live": [client.make(end) for end in ENDS], "expired": [client.make(-end) for end in ENDS]}
    else:
        made = [key for key in keys if client.find(key)]
    print(json.dumps(made))


main()
