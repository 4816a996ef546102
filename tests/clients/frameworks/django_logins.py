"""Fifty logins at once through Django's models, half of them inside a transaction. Prints how many failed, and one more if a
taken id that the application chose does not fail as docs/frameworks/django.md says."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django
from django.conf import settings

HOST, PORT, NAME, USER = sys.argv[1:]
DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT, "NAME": NAME, "USER": USER}
settings.configure(DATABASES={"default": DATABASE})
django.setup()

from django.db import IntegrityError, connection, models, transaction  # noqa: E402

import hook  # noqa: E402,F401


class UserSession(models.Model):
    session_id = models.AutoField(primary_key=True)
    user_id = models.IntegerField()

    class Meta:
        app_label = "logins"
        managed = False
        db_table = "user_sessions"


LOGINS = 50
START = Barrier(LOGINS)


def log_in(number):
    connection.ensure_connection()
    START.wait()
    try:
        if number % 2:
            with transaction.atomic():
                UserSession.objects.create(user_id=number)
        else:
            UserSession.objects.create(user_id=number)
        return 0
    except Exception as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        connection.close()


def taken_id_fails():
    with transaction.atomic():
        try:
            with transaction.atomic():
                UserSession.objects.create(session_id=2, user_id=1)
        except IntegrityError as error:
            UserSession.objects.count()
            return error.__cause__.diag.constraint_name == "user_sessions_pkey"


with ThreadPoolExecutor(LOGINS) as pool:
    failed = sum(pool.map(log_in, range(LOGINS)))
print(failed + (0 if taken_id_fails() else 1))
