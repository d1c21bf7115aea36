-- Everything of one form system. Local dates and times as text. Only primary keys are indexed, as in many a system that
-- grew out of a small one.
CREATE TABLE sessions (
  token TEXT PRIMARY KEY,
  csrf TEXT NOT NULL,
  data TEXT NOT NULL,
  touched REAL NOT NULL
);

-- One row for each appointment there is: a row has room for one submission, so an appointment is given once.
CREATE TABLE diary (
  id INTEGER PRIMARY KEY,
  office TEXT NOT NULL,
  day TEXT NOT NULL,
  time TEXT NOT NULL,
  submission INTEGER REFERENCES submissions (id)
);

CREATE TABLE submissions (
  id INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('made', 'cancelled')),
  diary INTEGER REFERENCES diary (id),
  made_at REAL NOT NULL,
  cancelled_at REAL
);

CREATE TABLE answers (
  submission INTEGER NOT NULL REFERENCES submissions (id),
  field TEXT NOT NULL,
  value TEXT NOT NULL
);

-- Written by the nightly job, read by the staff's report.
CREATE TABLE report_daily (
  day TEXT NOT NULL,
  office TEXT NOT NULL,
  appointments INTEGER NOT NULL,
  booked INTEGER NOT NULL
);
CREATE TABLE report_runs (
  ran_at REAL NOT NULL,
  submissions INTEGER NOT NULL,
  cancelled INTEGER NOT NULL
);
