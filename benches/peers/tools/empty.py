"""Makes the SQLite database that pgloader loads: the tables that standard input names (table, tab, column), empty."""

import sqlite3
import sys


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


with sqlite3.connect(sys.argv[1]) as database:
    for line in sys.stdin:
        table, column = line.rstrip("\n").split("\t")
        database.execute(f"CREATE TABLE {quoted(table)} ({quoted(column)} integer PRIMARY KEY)")
