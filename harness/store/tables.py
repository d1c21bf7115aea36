"""The ledger's tables, typed, for SQLite and PostgreSQL alike.

The one idea: what is searched or compared has a column (a run's figures are rows: run, metric, value,
censored), what is only shown with its run is JSON beside it, histograms are the compressed bytes they came
as. Two partial unique indexes carry the rules that two writers at once could break: one open trial a pilot,
one valid attempt a round.

JSON is `json`, not `jsonb`, on PostgreSQL: `jsonb` refuses the escaped NUL that a system under test may well
put into a failure's example.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in, stored as UTC, aware (UTC) out. SQLite has no zones, so its text is UTC by this
    rule."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; without its zone for SQLite, which would drop it silently."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time with its zone; found {value.isoformat()} without one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Back as an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of any origin. Lone surrogates and NUL, which no database takes, become U+FFFD: a system under
    test can put both into a log line, and a measured round must not be lost over that."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        if value is None:
            return None
        sound = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return sound.replace("\0", "\ufffd")


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can find them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own declared way
        str: Words(),
        datetime: UtcDateTime(),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


class RegistrationRow(Base):
    """A protocol frozen before its first registered run."""

    __tablename__ = "registrations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    pilot: Mapped[str] = mapped_column(index=True)
    protocol_hash: Mapped[str]
    document: Mapped[dict[str, Any]]
    registered_at: Mapped[datetime]


class TrialRow(Base):
    """One execution of a protocol."""

    __tablename__ = "trials"
    __table_args__ = (
        Index(
            "uq_trials_open_pilot",
            "pilot",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    pilot: Mapped[str] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(index=True)
    registered: Mapped[bool]
    protocol_hash: Mapped[str]
    document: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    machine: Mapped[dict[str, Any]]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    deviations: Mapped[list[Any]]

    arms: Mapped[list[ArmRow]] = relationship(order_by="ArmRow.position", lazy="raise")
    rounds: Mapped[list[RoundRow]] = relationship(
        order_by="(RoundRow.number, RoundRow.attempt)", lazy="raise"
    )


class ArmRow(Base):
    """One system in a trial."""

    __tablename__ = "arms"
    __table_args__ = (UniqueConstraint("trial_id", "arm"), UniqueConstraint("trial_id", "position"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"))
    position: Mapped[int]
    arm: Mapped[str]
    system: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    interface: Mapped[str]
    content_hash: Mapped[str]
    configuration: Mapped[dict[str, Any]]


class RoundRow(Base):
    """One attempt at a round."""

    __tablename__ = "rounds"
    __table_args__ = (
        UniqueConstraint("trial_id", "number", "attempt"),
        Index(
            "uq_rounds_valid_number",
            "trial_id",
            "number",
            unique=True,
            sqlite_where=text("valid"),
            postgresql_where=text("valid"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"))
    number: Mapped[int]
    attempt: Mapped[int]
    valid: Mapped[bool]
    reason: Mapped[str | None]
    arm_order: Mapped[list[Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]

    runs: Mapped[list[RunRow]] = relationship(order_by="RunRow.position", lazy="raise")


class RunRow(Base):
    """One arm in one round, with what is only shown beside its figures."""

    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("round_id", "arm_id"), UniqueConstraint("round_id", "position"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    arm_id: Mapped[int] = mapped_column(ForeignKey("arms.id"), index=True)
    position: Mapped[int]
    place: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None]
    started_at: Mapped[datetime]
    schedule_hash: Mapped[str]
    log_folder: Mapped[str | None]
    counts: Mapped[dict[str, Any]]
    started_mix: Mapped[dict[str, Any]]
    failures: Mapped[list[Any]]
    audit: Mapped[list[Any]]
    checks: Mapped[list[Any]]
    timeline: Mapped[list[Any]]
    resources: Mapped[dict[str, Any]]
    health: Mapped[dict[str, Any]]

    figures: Mapped[list[ValueRow]] = relationship(lazy="raise")
    histograms: Mapped[list[HistogramRow]] = relationship(lazy="raise")


class ValueRow(Base):
    """A run's value of one metric."""

    __tablename__ = "run_values"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True, index=True)
    value: Mapped[float]
    censored: Mapped[bool]


class HistogramRow(Base):
    """One series of a run, in the bytes of `judge.histogram`."""

    __tablename__ = "run_histograms"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    histogram: Mapped[bytes]


class JudgementRow(Base):
    """What was judged of a trial; a later row is a later judgement."""

    __tablename__ = "judgements"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), index=True)
    judged_at: Mapped[datetime]
    document: Mapped[dict[str, Any]]


class JournalRow(Base):
    """One event in a trial's life."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), index=True)
    at: Mapped[datetime]
    event: Mapped[str]
    detail: Mapped[dict[str, Any]]


class FindingRow(Base):
    """Something that went wrong or surprised, of a pilot and perhaps of one trial."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    pilot: Mapped[str] = mapped_column(index=True)
    trial_id: Mapped[int | None] = mapped_column(ForeignKey("trials.id"), index=True)
    text: Mapped[str]
    source: Mapped[str]
    blocking: Mapped[bool]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]

    trial: Mapped[TrialRow | None] = relationship(lazy="raise")
