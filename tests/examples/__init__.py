"""What tests are made with: small digit files, quick runs, a report's records, real processes."""
