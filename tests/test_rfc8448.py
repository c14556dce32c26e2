"""RFC 8448 section 3, a simple 1-RTT handshake: our client, given its client's randomness and its server's records.

The trace's client is reproduced byte for byte: what it sends is what ours sends. The RSA key of 1,024 bits, which no
scheme of pqdc's has, is one in an overlay, and one more size of the backend's.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes

from pqdc import load_catalog
from pqdc.handshake import Alert, CipherSuite, Client, ClientConnection, Connected, Data, Failed, Group, PeerClosed
from pqdc.handshake import messages as m
from pqdc.handshake.key_schedule import SUITES, KeySchedule, expand_label, traffic_keys
from pqdc.scheme.backends import openssl

SUITE = SUITES[0x1301]
SHARED = bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
UP_TO_FINISHED = bytes.fromhex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13")
SERVER_HANDSHAKE = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")

CLIENT_PRIVATE = "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005"
CLIENT_HELLO = """
    010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b000900
    0006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd
    43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806040105010601
    02010402050206020202002d00020101001c00024001"""
SERVER_HELLO = """
    020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c98288761120
    95fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304"""
ENCRYPTED_EXTENSIONS = "080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000"
CERTIFICATE = """
    0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504031303727361
    301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372736130819f300d06092a8648
    86f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015ab
    bc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9
    d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f
    0404030205a0300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2
    eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9
    b9eb2bd5203b1c3b84e0a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de10000"""
CERTIFICATE_VERIFY = """
    0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2d33a5c141a078653fa6bef
    780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46445c9ea58c181e818e95b8c3fb0bf3278409d3be152a
    3da5043e063dda65cdf5aea20d53dfacd42f74f3"""
SERVER_FINISHED = "140000209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718"
CLIENT_FINISHED = "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61"
SERVER_FLIGHT_RECORD = """
    17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca07612ef9f945cb960b40
    68905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13bd9aefb0e57f271585b8ea9bb355c7c79020716cf
    b9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812
    cbb360987255cc744110c453baa4fcd610928d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8
    044b4c6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f4415
    cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a36ac1b639c637ce343117b659
    622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e1b7a6c7178af36879018e3f252107f243d243dc7339d
    5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c
    74116dbd2972fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8afe67f
    76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b66763038ebba42f3
    b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd502784016e4b3be7ef04dda49f4b440a3
    0cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e750edc53370d2b"""
CLIENT_FINISHED_RECORD = """
    170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c40546"""
TICKET_RECORD = """
    17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015940252f55713e061d
    c13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac46f75f7b981be63439b2999ce
    13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d
    64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f"""
DATA = bytes(range(50))
CLIENT_DATA_RECORD = """
    1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a29770
    14bd1e3deae63aeebb21694915e4"""
SERVER_DATA_RECORD = """
    17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c00
    47c2abf332540dd032e167c2955d"""
CLIENT_ALERT_RECORD = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"
SERVER_ALERT_RECORD = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"

RSA_1024 = """
[scheme.RSA-1024]
kind = "classical"
family = "RSA"
public_key_bytes = 140
signature_bytes = 128
signature_length = "fixed"
oid = "1.2.840.113549.1.1.10"
key_oid = "1.2.840.113549.1.1.1"
key_parameters = "NULL"
code_point = 0x0804
backends = { openssl = "rsa-1024-sha256" }
benchmark = false
"""
FLIGHT = (ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, SERVER_FINISHED)


def octets(text):
    return bytes.fromhex("".join(text.split()))


class OfTheTrace(ClientConnection):
    """Says the trace's ClientHello, read and written again; all else is ours."""

    def _send_hello(self, cookie):
        hello = m.ClientHello.decode(octets(CLIENT_HELLO)[m.HEADER_BYTES :])
        self._asked = frozenset(kind for kind, _ in hello.extensions)
        self._send(hello)
        self._flush(version=0x0301)


@pytest.fixture
def client(tmp_path, monkeypatch):
    primitive = openssl._Rsa(1024, hashes.SHA256(), openssl._pss(hashes.SHA256()))
    monkeypatch.setitem(openssl.PRIMITIVES, "rsa-1024-sha256", primitive)
    overlay = tmp_path / "rsa-1024.toml"
    overlay.write_text(RSA_1024)
    draws = iter([octets(CLIENT_HELLO)[6:38], octets(CLIENT_PRIVATE)])
    settings = Client(
        catalog=load_catalog(overlay),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        entropy=lambda size: next(draws),
        groups=(Group.X25519,),
        suites=(CipherSuite.AES_128_GCM_SHA256,),
        signature_algorithms=(0x0804,),
        compatibility=False,
    )
    return OfTheTrace(settings)


def test_our_client_is_the_one_of_the_trace(client):
    """Its server's records are believed, and every record of its client comes out, to the last byte."""
    assert client.data_to_send() == b"\x16\x03\x01\x00\xc4" + octets(CLIENT_HELLO)
    assert client.receive(b"\x16\x03\x03\x00\x5a" + octets(SERVER_HELLO)) == []
    (connected,) = client.receive(octets(SERVER_FLIGHT_RECORD))
    assert isinstance(connected, Connected)
    assert client.received == [octets(message) for message in (SERVER_HELLO, *FLIGHT)]
    assert client.sent[-1] == octets(CLIENT_FINISHED)
    assert client.data_to_send() == octets(CLIENT_FINISHED_RECORD)
    assert connected.session.peer.chain == (octets(CERTIFICATE)[11:-2],)
    assert client.receive(octets(TICKET_RECORD)) == []
    client.send(DATA)
    assert client.data_to_send() == octets(CLIENT_DATA_RECORD)
    assert client.receive(octets(SERVER_DATA_RECORD)) == [Data(DATA)]
    client.close()
    assert client.data_to_send() == octets(CLIENT_ALERT_RECORD)
    assert client.receive(octets(SERVER_ALERT_RECORD)) == [PeerClosed()]


def test_nothing_of_it_can_be_changed(client):
    client.receive(b"\x16\x03\x03\x00\x5a" + octets(SERVER_HELLO))
    record = bytearray(octets(SERVER_FLIGHT_RECORD))
    record[400] ^= 1
    (failed,) = client.receive(bytes(record))
    assert isinstance(failed, Failed)
    assert failed.failure.alert == Alert.BAD_RECORD_MAC


KINDS = {
    CLIENT_HELLO: m.ClientHello,
    SERVER_HELLO: m.ServerHello,
    ENCRYPTED_EXTENSIONS: m.EncryptedExtensions,
    CERTIFICATE: m.CertificateMessage,
    CERTIFICATE_VERIFY: m.CertificateVerify,
}


@pytest.mark.parametrize("text", KINDS, ids=[kind.__name__ for kind in KINDS.values()])
def test_messages_are_read_and_written_again(text):
    message = octets(text)
    assert m.frame(KINDS[text].decode(message[m.HEADER_BYTES :])) == message


def test_secrets():
    schedule = KeySchedule(SUITE, SHARED)
    assert schedule._handshake.hex() == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
    client, server = schedule.application_secrets(UP_TO_FINISHED)
    assert client.hex() == "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
    assert server.hex() == "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"


def test_keys():
    assert expand_label(SUITE, SERVER_HANDSHAKE, "key", b"", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert traffic_keys(SUITE, SERVER_HANDSHAKE).iv.to_bytes(12, "big").hex() == "5d313eb2671276ee13000b30"
    finished = expand_label(SUITE, SERVER_HANDSHAKE, "finished", b"", 32)
    assert finished.hex() == "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
