"""An AWS on the laptop: ministack, extended with the services whose jobs really run."""
