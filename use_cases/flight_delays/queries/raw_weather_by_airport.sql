-- Raw observations by airport: how many there are, and how many lack what a forecast needs most.
SELECT
  origin,
  count(*) AS observations,
  count_if(try_cast(visib AS double) IS NULL) AS without_visibility,
  count_if(try_cast(wind_gust AS double) IS NULL) AS without_gust,
  max(try_cast(wind_speed AS double)) AS strongest_wind,
  min(time_hour) AS first_hour,
  max(time_hour) AS last_hour
FROM weather
GROUP BY origin
ORDER BY origin
