-- How delays build up over the day: share of late departures by hour, all airports together.
SELECT
  dataset,
  hour,
  sum(departures) AS departures,
  sum(late_share * departures) / sum(departures) AS late_share,
  sum(cancelled_share * departures) / sum(departures) AS cancelled_share
FROM delay_by_hour
GROUP BY dataset, hour
ORDER BY dataset, hour
