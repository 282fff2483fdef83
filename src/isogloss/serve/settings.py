"""Settings of the server, and the API key, which is never one of them: it comes from a file or from the environment."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.devices import InferencePrecision
from isogloss.errors import ConfigError

__all__ = ["API_KEY_VARIABLE", "ApiKey", "ServeSettings", "read_api_key"]

API_KEY_VARIABLE = "ISOGLOSS_API_KEY"


class ServeSettings(Settings):
    """What is served, where, how requests are put together, and how much of everything is taken."""

    models: tuple[str, ...] = Field(
        min_length=1, description="Model or run folders, each FOLDER or NAME=FOLDER; a name is else the folder's"
    )
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all of this machine's")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: InferencePrecision = Field("auto", description="auto, bf16, fp32, or int8 (x86 with VNNI)")
    language: str | None = Field(None, description="Code of the texts' language, for a model that embeds it (XLM)")
    token_budget: int = Field(4096, ge=1, description="Tokens that are run together at most")
    wait_ms: float = Field(3, ge=0, le=1000, description="How long a request waits for others, in milliseconds")
    workers: int = Field(1, ge=1, le=64, description="Batches that run at once and share the cores")
    queue_requests: int = Field(512, ge=1, description="Requests that wait or run at once; beyond it 429")
    queue_tokens: int = Field(131_072, ge=1, description="Tokens that wait or run at once; beyond it 429")
    max_body_bytes: int = Field(8 << 20, ge=1024, description="Bytes of a request's body; beyond it 413")
    max_texts: int = Field(2048, ge=1, description="Texts of a request; beyond it 413")
    max_characters: int = Field(100_000, ge=1, description="Characters of a text; beyond it 413")
    timeout_seconds: float = Field(60, gt=0, description="From a read request to its answer; beyond it 504")
    read_seconds: float = Field(20, gt=0, description="For a client to send a request; beyond it 408")
    shutdown_seconds: float = Field(70, gt=0, description="For accepted requests to be answered after SIGTERM")
    max_connections: int = Field(1024, ge=1, description="Open connections; further ones are closed with 503")
    api_key_file: Path | None = Field(
        None, description=f"File with the key that requests must bring; else the environment's {API_KEY_VARIABLE}"
    )

    @field_validator("models")
    @classmethod
    def _names_are_whole(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        for one in models:
            name, equals, folder = one.partition("=")
            if equals and not (name and folder):
                raise ValueError(f"'{one}' is not NAME=FOLDER")
        return models


class ApiKey:
    """A key, compared in a time that does not tell how much of it was right, and never shown."""

    def __init__(self, key: str) -> None:
        self._key = key.encode("utf-8")

    def matches(self, authorization: bytes) -> bool:
        """Whether a header `Authorization: Bearer KEY` brings it."""
        scheme, _, given = authorization.partition(b" ")
        # Compared in any case, also after another scheme.
        right = hmac.compare_digest(given.strip(), self._key)
        return right and scheme.lower() == b"bearer"


def read_api_key(settings: ServeSettings, environment: Mapping[str, str] = os.environ) -> ApiKey | None:
    """The key of the file, or of the environment; None where neither has one.

    Raises ConfigError for a file that cannot be read, and for a key that is empty or holds blanks.
    """
    if settings.api_key_file is not None:
        where = f"api_key_file = {settings.api_key_file}"
        try:
            key = settings.api_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise ConfigError(f"{where} cannot be read: {reason}") from None
    elif API_KEY_VARIABLE in environment:
        where, key = API_KEY_VARIABLE, environment[API_KEY_VARIABLE].strip()
    else:
        return None
    if not key or not key.isprintable() or " " in key:
        raise ConfigError(f"{where} holds no key; give one line of letters, digits and signs")
    return ApiKey(key)
