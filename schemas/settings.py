"""Keeps the settings every process shares: defaults < `inzage.toml` < `INZAGE_*` < flags.

Secrets are `SecretStr` and never printed. An unknown key is refused, so that a typo is seen at start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from inzage.schemas.errors import ConfigError
from inzage.schemas.period import Period

OFFICE_ZONE = "Europe/Brussels"
"""Where times are read when a controller has no zone of its own."""

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class KafkaSettings(BaseModel):
    """How to reach the brokers. Loopback and plain text by default; TLS and SASL by setting."""

    model_config = ConfigDict(extra="forbid")

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    partitions: int = Field(default=12, ge=1, description="of every topic about persons; never changed live")
    replication_factor: int = Field(default=1, ge=1)


class SchemaRegistrySettings(BaseModel):
    """A schema registry that speaks Confluent's HTTP interface. With one, what emitters say is in its framing."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = Field(default=None, description="readable by its owner only, in place of password")
    ca_file: Path | None = Field(default=None, description="certificates for https; None: those of the machine")
    auto_register_schemas: bool = Field(default=True, description="false: emitters look their schemas up only")

    @model_validator(mode="after")
    def _secret_is_whole(self) -> SchemaRegistrySettings:
        stated = (self.password is not None) + (self.password_file is not None)
        if stated != (self.username is not None):
            raise ValueError("a username goes with either a password or a password_file")
        return self


class ClickHouseSettings(BaseModel):
    """How to reach ClickHouse over HTTP. `url` decides host, port and TLS."""

    model_config = ConfigDict(extra="forbid")

    url: str = "http://127.0.0.1:8123"
    username: str = "default"
    password: SecretStr | None = None
    database: str = "inzage"
    ca_cert: Path | None = None


class WitnessSettings(BaseModel):
    """A witness that is asked for cosignatures (C2SP tlog-witness)."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = Field(description="its submission prefix; /add-checkpoint is asked below it")
    key: str = Field(description="its verifier key, name+hash+base64, as it was handed over")
    ca_file: Path | None = Field(default=None, description="certificates for https; None: those of the machine")


class TimestampingSettings(BaseModel):
    """A time-stamp authority (RFC 3161) that stamps the newest checkpoint of the meta log now and then."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl
    ca_file: Path = Field(description="the authority's root certificates, PEM: those only are believed")
    every_seconds: float = Field(default=3600.0, gt=0)


class SealingSettings(BaseModel):
    """How the sealer signs, and whom a verifier trusts. Paths not stated lie in `data_dir`."""

    model_config = ConfigDict(extra="forbid")

    key_file: Path | None = Field(default=None, description="the sealer's signing key; None: data_dir/sealer/key")
    key_name: str = "inzage-sealer"
    archive: str | None = Field(default=None, description="directory or s3:// URL outside Kafka and ClickHouse")
    every_seconds: float = Field(default=1.0, gt=0)
    every_records: int = Field(default=65_536, ge=1, description="of one log, between two checkpoints")
    trusted_keys: tuple[str, ...] = Field(default=(), description="verifier keys; none: the public half of key_file")
    witnesses: tuple[WitnessSettings, ...] = ()
    quorum: int | None = Field(default=None, ge=1, description="witnesses it takes; None: all of them")
    witness_every_seconds: float = Field(default=10.0, gt=0, description="between two questions to a witness")
    timestamping: TimestampingSettings | None = None

    @model_validator(mode="after")
    def _quorum_can_be_reached(self) -> SealingSettings:
        if self.quorum is not None and self.quorum > len(self.witnesses):
            raise ValueError(f"quorum {self.quorum} of {len(self.witnesses)} witnesses can never be reached")
        return self


class RetentionSettings(BaseModel):
    """How long the trail of each controller is kept. One whose notice states no period has none until it is set."""

    model_config = ConfigDict(extra="forbid")

    periods: dict[str, str] = Field(default_factory=dict, description="by controller, ISO 8601: HMBS = 'P7Y'")

    @field_validator("periods")
    @classmethod
    def _are_periods(cls, stated: dict[str, str]) -> dict[str, str]:
        return {controller.upper(): str(Period.read(text)) for controller, text in stated.items()}

    def period_of(self, controller: str) -> Period:
        """The period of `controller`; raises `ConfigError` when it has none."""
        stated = {**_STATED_IN_NOTICES, **self.periods}.get(controller.upper())
        if stated is None:
            raise ConfigError(
                f"retention.periods: {controller} has no period, so nothing of it may go",
                code="config.retention",
                hint=f"state one in inzage.toml: [retention.periods] {controller.upper()} = 'P7Y'",
            )
        return Period.read(stated)


_STATED_IN_NOTICES = {"CIGNA": "P10Y"}  # CIGNA-78: the standard period is ten years


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        env_prefix="INZAGE_",
        env_nested_delimiter="__",
        toml_file="inzage.toml",
        extra="forbid",
    )

    controllers: tuple[str, ...] = ("CIGNA", "HMBS")
    data_dir: Path = Path("var")
    packs_dir: Path | None = Field(default=None, description="policy packs beside those that ship; None: those only")
    dossiers_open: int = Field(
        default=50_000, ge=1, description="dossiers of a partition that a worker keeps decoded, 9 KB or more each"
    )
    keep_readable_days: dict[str, int] = Field(
        default_factory=dict,
        description="by controller: days after the newest record about a person in which nothing of it is erased",
    )
    time_zones: dict[str, str] = Field(
        default_factory=dict, description="by controller: IANA zone of its office; not stated: Brussels"
    )
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    schema_registry: SchemaRegistrySettings | None = Field(
        default=None, description="None: single-object encoding, which needs none"
    )
    clickhouse: ClickHouseSettings = Field(default_factory=ClickHouseSettings)
    sealing: SealingSettings = Field(default_factory=SealingSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)

    def zone_of(self, controller: str) -> ZoneInfo:
        """The time zone of the office of `controller`; raises `ConfigError` for one that is not known."""
        named = {name.upper(): zone for name, zone in self.time_zones.items()}.get(controller.upper(), OFFICE_ZONE)
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigError(f"time_zones.{controller}: no such zone: {named}", code="config.settings") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**flags: Any) -> Settings:
    """Read settings from file, environment and `flags`; raises `ConfigError` naming each wrong key."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}" for detail in error.errors()
        )
        raise ConfigError(f"settings: {wrong}", code="config.settings") from error
