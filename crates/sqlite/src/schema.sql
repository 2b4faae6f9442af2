-- The file format. A change of it takes a new user_version.
PRAGMA application_id = 0x73796d62;
PRAGMA user_version = 1;

-- Ids are stored with their highest bit flipped, so that they sort as signed numbers the way ids do.
CREATE TABLE record (
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
    id INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    uniq BLOB,
    organization INTEGER,
    user INTEGER,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 255),
    face INTEGER NOT NULL CHECK (face BETWEEN 0 AND 255),
    bytes BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX by_revision ON record (revision, kind, id);
CREATE UNIQUE INDEX by_unique ON record (kind, uniq) WHERE uniq IS NOT NULL;
CREATE INDEX by_organization ON record (organization, kind, id) WHERE organization IS NOT NULL;
CREATE INDEX by_user ON record (user, kind, id) WHERE user IS NOT NULL;

-- Of authorizations. Apart from the records, because it is written often and carries no revision.
CREATE TABLE last_used (
    id INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL
) STRICT;

CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    head INTEGER NOT NULL CHECK (head >= 0),
    floor INTEGER NOT NULL CHECK (floor BETWEEN 0 AND head),
    epoch INTEGER NOT NULL
) STRICT;
