"""TFRecord as the package `tfrecord` reads it, with checksums as `crc32c` computes them: a dict of features an example, bytes as hex."""

import struct
from pathlib import Path

import crc32c
from tfrecord.example_pb2 import Example
from tfrecord.reader import tfrecord_iterator


def items(folder):
    return [
        {"file": path.name, **{name: _values(feature) for name, feature in _example(record).features.feature.items()}}
        for path in sorted(Path(folder).glob("*.tfrecord"))
        for record in _verified(path)
    ]


def _verified(path):
    data, at = path.read_bytes(), 0
    for record in tfrecord_iterator(str(path)):
        length, of_length = struct.unpack_from("<QI", data, at)
        (of_record,) = struct.unpack_from("<I", data, at + 12 + length)
        assert (of_length, of_record) == (_masked(data[at : at + 8]), _masked(bytes(record)))
        at += 16 + length
        yield bytes(record)
    assert at == len(data)


def _masked(data):
    crc = crc32c.crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _example(record):
    example = Example()
    example.ParseFromString(record)
    assert example.SerializeToString(deterministic=True) is not None
    return example


def _values(feature):
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value
    return [kind, [value.hex() for value in values] if kind == "bytes_list" else [str(value) for value in values]]
