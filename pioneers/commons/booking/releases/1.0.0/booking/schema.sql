-- The bookings of one body. Times are seconds since 1970 UTC; `day` is the start's local date.
CREATE TABLE bookings (
  number     INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  reference  TEXT NOT NULL UNIQUE,
  resource   TEXT NOT NULL,
  starts_at  INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL,
  day        TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('held', 'confirmed', 'cancelled', 'expired')),
  expires_at REAL CHECK (state <> 'held' OR expires_at IS NOT NULL),
  people     TEXT CHECK (state <> 'confirmed' OR people IS NOT NULL),
  family_name TEXT,
  email      TEXT,
  telephone  TEXT,
  created_at REAL NOT NULL,
  changed_at REAL NOT NULL,
  CHECK (ends_at > starts_at AND ends_at - starts_at <= 86400)
) STRICT;

-- A slot is given once. The index says so for equal starts, the triggers for any overlap (slot lengths may change).
CREATE UNIQUE INDEX one_live_booking ON bookings (resource, starts_at) WHERE state IN ('held', 'confirmed');
CREATE INDEX live_by_day ON bookings (resource, day, state, expires_at) WHERE state IN ('held', 'confirmed');

CREATE TRIGGER no_overlap_on_insert BEFORE INSERT ON bookings WHEN NEW.state IN ('held', 'confirmed')
BEGIN
  SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
    SELECT 1 FROM bookings WHERE resource = NEW.resource AND state IN ('held', 'confirmed')
      AND starts_at > NEW.starts_at - 86400 AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at);
END;

CREATE TRIGGER no_overlap_on_update BEFORE UPDATE OF resource, starts_at, ends_at, state ON bookings
WHEN NEW.state IN ('held', 'confirmed')
BEGIN
  SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
    SELECT 1 FROM bookings WHERE resource = NEW.resource AND state IN ('held', 'confirmed') AND number <> NEW.number
      AND starts_at > NEW.starts_at - 86400 AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at);
END;

-- Answers already given to writes, so that a repeated request is answered, not done, a second time.
CREATE TABLE answers (
  key         TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  status      INTEGER NOT NULL,
  body        TEXT NOT NULL,
  given_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_age ON answers (given_at);
