"""``python -m infra.local.moto_server PORT``: moto's server on 127.0.0.1, one request at a time.

moto oversells where two requests meet (its conditional writes are not atomic), so no two ever do.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local.guarded import HOST

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def one_at_a_time(application: Application) -> Application:
    """The same application behind one lock."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            return [b"".join(application(environ, start_response))]

    return serve


def main(port: int) -> None:
    """Serves until the process ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    make_server(HOST, port, application, threaded=True, request_handler=MotoRequestHandler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
