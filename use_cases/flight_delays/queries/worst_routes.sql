-- The routes that go worst, by dataset version, of those with at least 100 departures.
SELECT dataset, origin, dest, departures, late_share, mean_arrival_delay
FROM delay_by_route
WHERE departures >= 100
ORDER BY dataset, late_share DESC, origin, dest
LIMIT 50
