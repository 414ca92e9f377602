// SPDX-License-Identifier: GPL-2.0-or-later
// Fixed P-256 test certificates, valid 2020 to 2120: an authority, a server (localhost, 127.0.0.1),
// the client alice of groups admins and "system:masters", a client that another authority issued.
#pragma once

namespace coracle::testing_certificates {
extern const char* const kAuthority;
extern const char* const kServer;
extern const char* const kServerKey;
extern const char* const kClient;
extern const char* const kClientKey;
extern const char* const kStranger;
extern const char* const kStrangerKey;
}  // namespace coracle::testing_certificates
