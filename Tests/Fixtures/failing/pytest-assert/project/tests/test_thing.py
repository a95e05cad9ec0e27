import thing


def test_double():
    assert thing.double(2) == 4
