"""Fifty logins at once through Django's models, half of them inside a transaction. Prints how many failed."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django
from django.conf import settings

HOST, PORT, NAME, USER = sys.argv[1:]
DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT, "NAME": NAME, "USER": USER}
settings.configure(DATABASES={"default": DATABASE})
django.setup()

from django.db import connection, models, transaction  # noqa: E402

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


with ThreadPoolExecutor(LOGINS) as pool:
    print(sum(pool.map(log_in, range(LOGINS))))
