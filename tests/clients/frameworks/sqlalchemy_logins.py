"""Fifty logins at once through SQLAlchemy, half of them through the ORM. Prints how many failed, and one more if a taken id
that the application chose does not fail as docs/frameworks/sqlalchemy.md says."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import URL, create_engine, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import hook

HOST, PORT, NAME, USER = sys.argv[1:]
LOGINS = 50
START = Barrier(LOGINS)
engine = create_engine(URL.create("postgresql+psycopg", USER, None, HOST, int(PORT), NAME), pool_size=LOGINS)
hook.repair_inserts(engine)


class Base(DeclarativeBase):
    pass


class UserSession(Base):
    __tablename__ = "user_sessions"
    session_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]


def log_in(number):
    try:
        with engine.connect() as connection:
            START.wait()
            if number % 2:
                with Session(connection) as session:
                    session.add(UserSession(user_id=number))
                    session.commit()
                connection.commit()
            else:
                connection.execute(insert(UserSession), [{"user_id": number}])
                connection.commit()
        return 0
    except Exception as error:
        print(error, file=sys.stderr)
        return 1


def taken_id_fails():
    with engine.connect() as connection:
        try:
            connection.execute(insert(UserSession), [{"session_id": 2, "user_id": 1}])
        except IntegrityError as error:
            return error.orig.diag.constraint_name == "user_sessions_pkey"


with ThreadPoolExecutor(LOGINS) as pool:
    failed = sum(pool.map(log_in, range(LOGINS)))
print(failed + (0 if taken_id_fails() else 1))
