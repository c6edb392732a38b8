-- a whole stretch of one lane: every job in it that the claim could see was taken
DELETE FROM ready WHERE lane = :lane AND arrival BETWEEN :first AND :last AND care <= :care;
