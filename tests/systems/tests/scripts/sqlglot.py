"""What sqlglot makes of scripts.

usage: sqlglot.py FILE, which holds [{"dialect": ..., "text": ...}, ...]; prints a list of statements for each.

A statement is its text, how sqlglot reads it, its tokens, and the names in what it read. `Command` is sqlglot's word for
a statement it keeps as text; `refused` is ours for one it cannot read at all.
"""

import json
import logging
import sys

import sqlglot
from sqlglot import exp

logging.disable(logging.WARNING)


def statement(text, tokens, dialect):
    try:
        read = sqlglot.parse(text, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        kind = type(read[0]).__name__ if len(read) == 1 else f"{len(read)} statements"
        names = [name.name for name in read[0].find_all(exp.Identifier)]
    except sqlglot.errors.ParseError:
        kind, names = "refused", []
    return {
        "text": text,
        "kind": kind,
        "tokens": [[token.token_type.name, token.text] for token in tokens],
        "names": names,
        "remarks": sum(len(token.comments) for token in tokens),
    }


def statements(text, dialect):
    parts, part = [], []
    for token in sqlglot.tokenize(text, read=dialect):
        if token.token_type == sqlglot.TokenType.SEMICOLON:
            parts.append(part)
            part = []
        else:
            part.append(token)
    if part:
        raise ValueError(f"the last statement has no end: {text}")
    return [statement(text[part[0].start : part[-1].end + 1], part, dialect) for part in parts]


with open(sys.argv[1]) as file:
    scripts = json.load(file)
print(json.dumps([statements(script["text"], script["dialect"]) for script in scripts]))
