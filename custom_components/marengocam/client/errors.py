"""Everything that keeps the backend from giving an answer."""


class MarengoCamClientError(Exception):
    """The backend gave no answer that can be used."""


class CannotConnectError(MarengoCamClientError):
    """Nothing answers at the address, or not in time."""


class InvalidTokenError(MarengoCamClientError):
    """The backend does not know the token, or it was revoked."""


class IncompatibleVersionError(MarengoCamClientError):
    """The backend speaks another version of the API."""

    def __init__(self, backend_version: str, api_version: int, supported: int) -> None:
        super().__init__(
            f"The backend {backend_version} speaks API version {api_version}; this client speaks version {supported}."
        )
        self.backend_version = backend_version
        self.api_version = api_version
        self.supported = supported


class BackendTooOldError(IncompatibleVersionError):
    """The backend speaks an older version of the API: it has to be updated."""


class BackendTooNewError(IncompatibleVersionError):
    """The backend speaks a newer version of the API: this client has to be updated."""


class UnexpectedAnswerError(MarengoCamClientError):
    """Something answers, but not as a MarengoCam backend does."""


class ApiError(MarengoCamClientError):
    """The backend refused a request and said why; `code` is one of the API's own words."""

    def __init__(self, code: str, message: str, *, status: int, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.field = field
