"""Where things are inside the app's container; addon/rootfs/ knows the same paths."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders; tests give others."""

    data: Path = Path("/data")  # the Supervisor's volume: in every backup, but for what config.yaml excludes
    run: Path = Path("/run/marengocam")
    media: Path = Path("/media")
    certificates: Path = Path("/ssl")  # Home Assistant's: certificates and keys of all apps
    services: Path = Path("/run/service")  # s6's
    postgres_programs: Path = Path("/usr/lib/postgresql")  # one folder per major version

    @property
    def options(self) -> Path:
        """What the owner chose, written by the Supervisor."""
        return self.data / "options.json"

    @property
    def settings(self) -> Path:
        """The services' options file, made from it."""
        return self.run / "options.json"

    @property
    def state(self) -> Path:
        """The services' data folder."""
        return self.data / "marengocam"

    @property
    def clusters(self) -> Path:
        """Of PostgreSQL: `17.live` while it runs, `17` at rest."""
        return self.data / "postgres"

    @property
    def dumps(self) -> Path:
        """Of the database: one for a backup under way, and those made before schema steps."""
        return self.data / "backup"

    @property
    def announced(self) -> Path:
        """What the announcer remembers: the token it gave to Home Assistant."""
        return self.data / "announce"

    @property
    def supervisor_token(self) -> Path:
        """For the announcer's eyes only."""
        return self.run / "supervisor_token"

    @property
    def mqtt_url(self) -> Path:
        """The broker that the Supervisor names; empty or missing: none."""
        return self.run / "mqtt" / "url"

    @property
    def own_certificates(self) -> Path:
        """Those of them that the owner named, for the services' eyes only."""
        return self.run / "certificates"

    @property
    def announcer_alive(self) -> Path:
        """Touched by the announcer in every round, for the watchdog."""
        return self.run / "mqtt" / "alive"

    @property
    def preparing(self) -> Path:
        """There while a cluster is made, restored or upgraded, however long that takes."""
        return self.run / "preparing-database"

    @property
    def schema_ready(self) -> Path:
        """There once the schema and the services' roles are up to date."""
        return self.run / "schema-ready"

    @property
    def external_mark(self) -> Path:
        """There when the owner's own database is used."""
        return self.run / "external-database"
