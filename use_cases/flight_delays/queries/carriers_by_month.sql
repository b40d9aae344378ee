-- Carriers by month, the worst first.
SELECT dataset, month, carrier, departures, late_share, cancelled_share, mean_departure_delay
FROM delay_by_carrier
ORDER BY dataset, month, late_share DESC, carrier
