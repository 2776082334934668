"""Words for rows, data sets, networks and scenarios."""

from lotus.results.titles import benchmark_title, brief, legible, row_title, titled


def test_what_is_known_has_its_title_and_a_users_own_name_stays():
    assert benchmark_title("cifar10", "resnet18", "instance-10", protocol="corrected") == (
        "CIFAR-10, ResNet18, 10 % forgotten, corrected"
    )
    assert benchmark_title("birds-limit40", "my-net", "owls", study="light") == (
        "birds (first 40 of each class), my-net, owls, study light"
    )
    assert row_title("lotus-alpha8") == "LoTUS, α = 8"
    assert row_title("my-row") == "my-row"


def test_a_row_says_how_many_of_its_models_collapsed():
    assert titled("scrub", 0, 3) == "SCRUB"
    assert titled("my-row", 2, 3) == "my-row (collapsed in 2 of 3 seeds)"


def test_what_no_file_can_hold_stands_as_its_escape():
    assert legible("a\x00\u2028\ud800b") == "a\\x00\\u2028\\ud800b"
    assert brief("a" * 28) == "a" * 28
    assert brief("begin" + "x" * 40 + "tail") == "begin" + "x" * 14 + "…" + "xxxxtail"
