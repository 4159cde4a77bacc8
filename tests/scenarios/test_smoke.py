def test_a_pupil_who_taps_in_time_is_in_the_custody_of_the_class_teacher(school):
    answer = school.tap("王小明", "east-in")
    assert (answer.decision.outcome, answer.decision.reason) == ("granted", "on_time")
    assert school.custodian("王小明") == "张老师"
