"""A taken port is explained in one line."""

import os
import socket

import pytest

from hotline.embedded import EmbeddedError, check_port


def test_taken_port_names_its_holder_and_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        expected = rf"port {port} is taken by pid {os.getpid()} \(.+\): stop it or choose another with PORT=(\d+)$"
        with pytest.raises(EmbeddedError, match=expected) as caught:
            check_port("127.0.0.1", port)
        check_port("127.0.0.1", int(str(caught.value).rpartition("=")[2]))
    check_port("127.0.0.1", port)


def test_address_of_another_machine_is_explained() -> None:
    # 192.0.2.0/24 is reserved for documentation (RFC 5737), so it is no machine's own.
    with pytest.raises(EmbeddedError, match=r"cannot listen on 192\.0\.2\.1:8000 .*127\.0\.0\.1"):
        check_port("192.0.2.1", 8000)
