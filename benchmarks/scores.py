"""Scores of a million customers: lifetime value from histories to expectations, then the learned ones."""

from __future__ import annotations

import json
import resource
import time
from datetime import date

import numpy as np
import pyarrow as pa

from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse.scores import churn, clv, next_product, vip
from lakehouse.scores.features import NAMES

_CALL = "import sys; from benchmarks import scores; print(scores.{}(int(sys.argv[1])))"
_TODAY = date(2026, 6, 30)
_YEARS = 3 * 365  # days since the first customer came
_HOLDOUT_DAYS = 90


def scores(*, quick: bool) -> list[Result]:
    """Return seconds, processor seconds and peak memory; customers behave as BG/NBD and Gamma-Gamma suppose."""
    customers = 100_000 if quick else 1_000_000
    results = []
    for name, bar in (("lifetime_value", 10.0), ("learned", None), ("products", None)):
        printed, _, peak = measured(_CALL.format(name), str(customers))
        for what, (seconds, processor, note) in json.loads(printed).items():
            label, spent = f"{what} of {customers:,} customers", f"{processor:.1f} s of processor"
            results.append(Result(label, seconds, "s", bar, at_least=False, note=f"{spent}, {note}"))
        results.append(Result(f"{name.replace('_', ' ')}, peak memory", peak, "MiB"))
    return results


def lifetime_value(customers: int) -> str:
    """Fit and score everybody, and compare a fit of 90 days earlier with what came."""
    now, before = _histories(customers)
    scored, seconds, processor = _timed(lambda: clv.score(now, before))
    figures = scored.quality.figures
    note = f"r {figures['bg_nbd_r']:.3f} (0.243), p {figures['gamma_gamma_p']:.2f} (6.25)"
    return json.dumps({"fit, hold-out and lifetime value": (seconds, processor, note)})


def learned(customers: int) -> str:
    """Choose a method, fit it and score everybody: churn with reasons, and VIP."""
    now, later, earlier = (_panel(customers, seed) for seed in (1, 2, 3))
    told = {}
    for name, compute in (("churn with reasons", churn.score), ("VIP propensity", vip.score)):
        scored, seconds, processor = _timed(lambda compute=compute: compute(now, later, earlier))
        told[name] = (seconds, processor, scored.quality.method)
    return json.dumps(told)


def products(customers: int) -> str:
    """Compare four methods, and rank ten products of 5,000 for everybody."""
    bought, since = _baskets(customers, 1, 6), _baskets(customers, 2, 1)
    scored, seconds, processor = _timed(lambda: next_product.score(bought, bought, since))
    note = f"{scored.rows.num_rows:,} rows, {scored.quality.method}"
    return json.dumps({"next products": (seconds, processor, note)})


def _timed(compute):  # noqa: ANN001, ANN202 - any score
    began, processor = time.perf_counter(), _processor()
    return compute(), time.perf_counter() - began, _processor() - processor


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _histories(customers: int) -> tuple[pa.Table, pa.Table]:
    """Return everybody now, and who had bought by 90 days ago with what came since, with CDNOW's parameters."""
    rng = np.random.default_rng(1)
    rate, leaves = rng.gamma(0.243, 1 / 4.414, customers), rng.beta(0.793, 2.426, customers)
    first = rng.integers(0, _YEARS, customers)  # days after the first customer
    who, day, active = np.arange(customers), first.astype(float), np.ones(customers, dtype=bool)
    visits = [(who, first)]
    while active.any():
        day[active] += 7 * rng.exponential(1 / np.maximum(rate[active], 1e-9))
        active &= day < _YEARS
        visits.append((who[active], np.floor(day[active]).astype(int)))
        active[active] = rng.random(int(active.sum())) > leaves[active]
    customer, on = (np.concatenate(parts) for parts in zip(*visits, strict=True))
    key = np.unique(customer * _YEARS + on)  # two purchases of one day are one
    customer, on = key // _YEARS, key % _YEARS
    own = rng.gamma(3.74, 1 / 15.44, customers)
    value = rng.gamma(6.25, 1 / own[customer])
    now = _summary(customers, customer, on, value, _YEARS)
    past = on < _YEARS - _HOLDOUT_DAYS
    before = _summary(customers, customer[past], on[past], value[past], _YEARS - _HOLDOUT_DAYS)
    came = np.bincount(customer[~past], minlength=customers)
    known = np.bincount(customer[past], minlength=customers) > 0
    return now, before.append_column("later_days", pa.array(came[known]))


def _summary(customers: int, customer: np.ndarray, on: np.ndarray, value: np.ndarray, today: int) -> pa.Table:
    count = np.bincount(customer, minlength=customers)
    first, last = np.full(customers, today), np.zeros(customers, dtype=np.int64)
    np.minimum.at(first, customer, on)
    np.maximum.at(last, customer, on)
    total = np.bincount(customer, value, customers)
    repeats = on > first[customer]
    repeat_total = np.bincount(customer[repeats], value[repeats], customers)
    known = count > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, repeat_mean = total / count, repeat_total / (count - 1)
    start = np.datetime64(_TODAY) - _YEARS
    days = [pa.array((start + each[known]).astype("datetime64[D]")) for each in (first, last)]
    return pa.table(
        {
            "customer_id": pa.array(np.flatnonzero(known).astype("U7")),
            "as_of": pa.array(np.full(int(known.sum()), start + today).astype("datetime64[D]")),
            "purchase_days": pa.array(count[known]),
            "first_day": days[0],
            "last_day": days[1],
            "mean_value": pa.array(mean[known]),
            "repeat_value": pa.array(repeat_mean[known], mask=count[known] < 2),
        }
    )


def _panel(customers: int, seed: int) -> pa.Table:
    """Return customers with random features, of whom those with tickets and those away for long leave."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.gamma(1.0, 20.0, customers) for name in NAMES}
    columns["purchase_days"] = 1.0 + rng.poisson(3, customers)
    columns["age_days"] = columns["recency_days"] + columns["mean_gap_days"] * columns["purchase_days"]
    columns["tickets_30"] = rng.poisson(0.3, customers).astype(float)
    odds = 0.03 * columns["recency_days"] + columns["tickets_30"] - 1
    stays = rng.random(customers) > 1 / (1 + np.exp(-odds))
    columns["later_days"] = stays.astype(float)
    columns["later_value"] = stays * columns["mean_value"] * rng.gamma(2, 1, customers)
    return pa.table({"customer_id": pa.array(np.arange(customers).astype("U7")), **columns})


def _baskets(customers: int, seed: int, each: int) -> pa.Table:
    """Return products that customers of 500 tastes bought."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(customers), each)
    product = who % 500 * 10 + rng.integers(0, 10, len(who))
    key = np.unique(who * 5_000 + product)
    return pa.table(
        {
            "customer_id": pa.array((key // 5_000).astype("U7")),
            "product": pa.array((key % 5_000).astype("U4")),
            "days": pa.array(np.ones(len(key))),
            "ago": pa.array(rng.integers(0, 300, len(key)).astype(float)),
        }
    )
