"""The `schema` texts of an export."""

from typing import Any

from sqlalchemy import Column, MetaData, String, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from chassis.transfer.document import CONTRACT_COLUMNS, OWN_COLUMNS, own_table


def contract_schema(table: Table) -> str:
    """CREATE TABLE statement with the contract's columns of a table."""
    columns = [table.columns[name] for name in CONTRACT_COLUMNS[table.name]]
    return _schema(table.name, *(Column(c.key, c.type, primary_key=c.key == "id") for c in columns))


def own_schema(table: str) -> str:
    """CREATE TABLE statement of the studio's own table beside a table.

    It has no primary key: a studio that takes in a second export keeps the rows of both.
    """
    return _schema(own_table(table), *(Column(name, String) for name in OWN_COLUMNS))


def _schema(name: str, *columns: Column[Any]) -> str:
    statement = CreateTable(Table(name, MetaData(), *columns), if_not_exists=True)
    return str(statement.compile(dialect=sqlite.dialect())).strip()
