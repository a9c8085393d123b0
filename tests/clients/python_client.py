"""The client library of the Python kTBS, against the kTBS at a root.

usage: python_client.py ROOT
"""

import sys
from datetime import datetime, timezone

from ktbs.client import get_ktbs
from ktbs.namespace import KTBS
from rdflib import Literal, URIRef

root = get_ktbs(sys.argv[1])
print("root", root.label, len(list(root.builtin_methods)), "methods")
assert KTBS.filter in {URIRef(method.uri) for method in root.builtin_methods}

base = root.create_base("python-client/", label="Tests")
try:
    assert base.label == "Tests"
    base.label = "Renamed"
    assert root.get_base("python-client/").label == "Renamed"
    model = base.create_model("model")
    kind = model.create_obsel_type("#Click")
    value = model.create_attribute_type("#value", [kind])
    relation = model.create_relation_type("#after", [kind], [kind])
    assert {t.uri for t in model.obsel_types} == {kind.uri}

    trace = base.create_stored_trace("trace/", model, "1970-01-01T00:00:00Z", "alice")
    assert trace.get_origin(True) == datetime(1970, 1, 1, tzinfo=timezone.utc)
    first = trace.create_obsel("first", kind, 1000, 2000, "bob", {value: "a"})
    second = trace.create_obsel("second", kind, 3000, attributes={value: 4}, relations=[(relation, first)])
    third = trace.create_obsel(None, kind, 5000)
    assert first.begin == 1000 and first.end == 2000 and first.subject == Literal("bob"), first.subject
    assert second.get_attribute_value(value) == 4
    assert second.subject == Literal("alice"), second.subject
    assert [obsel.uri for obsel in second.iter_related_obsels(relation)] == [first.uri]
    assert [obsel.begin for obsel in trace.iter_obsels()] == [1000, 3000, 5000]
    assert [obsel.begin for obsel in trace.iter_obsels(begin=2000)] == [3000, 5000]
    assert [obsel.begin for obsel in trace.iter_obsels(after=first, limit=1)] == [3000]
    assert [obsel.begin for obsel in trace.iter_obsels(before=third, offset=1)] == [3000]

    computed = base.create_computed_trace("computed/", KTBS.filter, {"after": "2000"}, [trace])
    assert computed.diagnosis is None, computed.diagnosis
    assert [obsel.begin for obsel in computed.iter_obsels()] == [3000, 5000]
    trace.create_obsel("fourth", kind, 7000)
    assert [obsel.begin for obsel in computed.iter_obsels()] == [3000, 5000, 7000]
    computed.set_parameter("after", "6000")
    assert [obsel.begin for obsel in computed.iter_obsels()] == [7000]

    method = base.create_method("method", KTBS.filter, {"before": "2000"})
    assert method.get_parameter("before") == "2000"
    method.set_parameter("before", "3000")
    assert method.get_parameter("before") == "3000"
    trace.label = "Renamed"
    trace.set_default_subject("carol")
    trace.force_state_refresh()
    assert (trace.label, trace.default_subject) == ("Renamed", Literal("carol")), (trace.label, trace.default_subject)
    third.delete()
    assert len(list(trace.iter_obsels())) == 3
    for item in (computed, method, trace, model):
        item.remove()
    print("all is well")
finally:
    for item in list(base):
        item.remove()
    base.remove()
